<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Unit;

use ArrayObject;
use DateTime;
use DateTimeImmutable;
use ExportMiddleware\Client\DataType;
use ExportMiddleware\Client\Exception\ErrorCode;
use ExportMiddleware\Client\Row\Texts;
use PHPUnit\Framework\TestCase;
use RuntimeException;
use Stringable;

/** What PHP's values become. */
final class TextsTest extends TestCase
{
    public function testEveryKindOfValueHasItsText(): void
    {
        $cases = [
            ['', null],
            ['text', 'text'],
            ['-9223372036854775808', PHP_INT_MIN],
            ['true', true],
            ['false', false],
            ['0.1', 0.1],
            ['1', 1.0],
            ['-0', -0.0],
            ['1.0E+25', 1e25],
            ['1.5E-7', 1.5e-7],
            ['2024-02-29T12:00:00+08:00', new DateTimeImmutable('2024-02-29 12:00', new \DateTimeZone('Asia/Shanghai'))],
            ['2024-02-29T12:00:00.000001+00:00', new DateTime('2024-02-29 12:00:00.000001 UTC')],
            ['INVALID_DATA', ErrorCode::InvalidData],
            ['2', DataType::Number],
            ['said', new class implements Stringable {
                public function __toString(): string
                {
                    return 'said';
                }
            }],
        ];
        foreach ($cases as [$text, $value]) {
            self::assertSame($text, Texts::of($value));
        }
    }

    public function testAFloatComesBackAsItWasWhateverTheIniSays(): void
    {
        $before = [ini_set('precision', '5'), ini_set('serialize_precision', '5')];
        try {
            foreach ([1 / 3, PHP_FLOAT_MAX, PHP_FLOAT_MIN, PHP_FLOAT_EPSILON, 5e-324, 123456789.123456789] as $number) {
                self::assertSame($number, (float) Texts::of($number));
            }
        } finally {
            ini_set('precision', $before[0]);
            ini_set('serialize_precision', $before[1]);
        }
    }

    public function testWhatHasNoTextIsExplained(): void
    {
        foreach ([INF, NAN, [], new ArrayObject()] as $value) {
            self::assertNull(Texts::of($value));
        }
        self::assertStringContainsString('INF; give null', Texts::complaint(INF));
        self::assertStringContainsString('of type ArrayObject; give', Texts::complaint(new ArrayObject()));
    }

    public function testWhatAValueThrowsIsNotHidden(): void
    {
        $this->expectExceptionMessage('its own');
        Texts::of(new class implements Stringable {
            public function __toString(): string
            {
                throw new RuntimeException('its own');
            }
        });
    }
}
