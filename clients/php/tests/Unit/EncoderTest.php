<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Unit;

use ExportMiddleware\Client\Columns;
use ExportMiddleware\Client\Exception\InvalidRowException;
use ExportMiddleware\Client\Row\Batch;
use ExportMiddleware\Client\Row\Encoder;
use ExportMiddleware\Client\Wire\Field;
use PHPUnit\Framework\TestCase;

/** Rows as messages of the contract. */
final class EncoderTest extends TestCase
{
    private const TWO = ['a', 'b'];

    public function testABatchIsTheBytesOfTheContract(): void
    {
        $message = self::one([['1', 'x'], ['22', '']]);
        self::assertSame('12' . '12' . '0a06' . '0a0131' . '0a0178' . '0a06' . '0a023232' . '0a00' . '1001', bin2hex($message));
    }

    public function testNoRowsAreNoMessage(): void
    {
        self::assertSame([], self::batches(self::TWO, []));
    }

    public function testValuesAndRowsOfEveryLengthAreWrittenAlike(): void
    {
        foreach ([0, 1, 100, 119, 120, 127, 128, 129, 8_000, 16_375, 16_383, 16_384, 2_097_152] as $length) {
            foreach ([str_repeat('x', $length), str_repeat('é', $length)] as $text) {
                $record = Field::bytes(1, 'k') . Field::bytes(1, $text) . Field::bytes(1, 'z');
                $expected = Field::bytes(2, Field::bytes(1, $record) . Field::int(2, 1));
                self::assertTrue($expected === self::one([['k', $text, 'z']], ['a', 'b', 'c']), "$length");
            }
        }
    }

    public function testMessagesHaveAThousandRowsAndAreNumberedFromOne(): void
    {
        $batches = self::batches(['a'], array_fill(0, 2_500, ['x']));
        self::assertSame([1_000, 1_000, 500], array_column($batches, 'rows'));
        foreach ($batches as $place => $batch) {
            self::assertStringEndsWith(Field::int(2, $place + 1), $batch->message);
        }
    }

    public function testMessagesHaveAboutAMebibyte(): void
    {
        $batches = self::batches(['a'], array_fill(0, 30, [str_repeat('x', 100_000)]));
        self::assertSame([10, 10, 10], array_column($batches, 'rows'));
        self::assertLessThan(1 << 20, max(array_map('strlen', array_column($batches, 'message'))));
    }

    public function testALargeRowIsAMessageOfItsOwn(): void
    {
        $batches = self::batches(['a'], [['x'], [str_repeat('x', 3 << 20)], ['x']]);
        self::assertSame([1, 1, 1], array_column($batches, 'rows'));
    }

    public function testARowThatNoMessageCanHoldIsNamed(): void
    {
        $row = self::wrong([['x'], [str_repeat('x', 64 << 20)]], ['a']);
        self::assertSame(2, $row->row());
        self::assertStringContainsString('more than the 64 MiB', $row->getMessage());
    }

    public function testNoMoreRowsAreTakenThanAMessageHasAndOne(): void
    {
        $taken = 0;
        $rows = (static function () use (&$taken) {
            while (true) {
                $taken++;
                yield ['x'];
            }
        })();
        (new Encoder(Columns::of(['a'])))->batches($rows)->current();
        self::assertSame(Encoder::MAX_ROWS + 1, $taken);
    }

    public function testNamedRowsAreTakenByTheColumnsNames(): void
    {
        $expected = self::one([['1', '2']]);
        self::assertSame($expected, self::one([['a' => '1', 'b' => '2']]));
        self::assertSame($expected, self::one([['b' => '2', 'a' => '1']]));
        self::assertSame($expected, self::one([(object) ['b' => '2', 'a' => '1']]));
    }

    public function testNamesThatLookLikeNumbersAreNames(): void
    {
        $expected = self::one([['1', '2']]);
        self::assertSame($expected, self::one([['2025' => '2', '2024' => '1']], ['2024', '2025']));
        self::assertSame($expected, self::one([['1', '2']], ['1', '0']), 'a list is by order');
    }

    public function testANameThatIsThereTwiceIsFilledTwice(): void
    {
        self::assertSame(self::one([['1', '1']]), self::one([['a' => '1']], ['a', 'a']));
    }

    public function testValuesOfOtherTypesBecomeTexts(): void
    {
        self::assertSame(self::one([['7', '']]), self::one([[7, null]]));
    }

    public function testARowOfAnotherWidthIsNamed(): void
    {
        $row = self::wrong([['1', '2'], ['1']]);
        self::assertSame('row 2: it has 1 values, and there are 2 columns', $row->getMessage());
        self::assertNull($row->column());
        self::assertSame('row 1: it has 3 values, and there are 2 columns', self::wrong([[1, 2, 3]])->getMessage());
        self::assertSame('row 1: it has 0 values, and there are 2 columns', self::wrong([[]])->getMessage());
    }

    public function testAMissingKeyIsNamed(): void
    {
        $row = self::wrong([['a' => '1', 'x' => '2']]);
        self::assertSame([1, 'b'], [$row->row(), $row->column()]);
        self::assertStringContainsString('the row has no such key', $row->getMessage());
    }

    public function testAnUnknownKeyIsNamedWithTheColumnsThatThereAre(): void
    {
        $row = self::wrong([['a' => '1', 'b' => '2', 'x' => '3']]);
        self::assertSame("row 1: its key 'x' is no column; the columns are a, b", $row->getMessage());
    }

    public function testWhatIsNoRowIsNamedByItsType(): void
    {
        self::assertStringContainsString('row 1: it is of type string', self::wrong(['text'])->getMessage());
    }

    public function testAValueThatHasNoTextIsNamed(): void
    {
        $row = self::wrong([['1', '2'], ['1', ['nested']]]);
        self::assertSame([2, 'b'], [$row->row(), $row->column()]);
        self::assertStringContainsString('is of type array', $row->getMessage());
        self::assertStringContainsString('the value is NAN', self::wrong([[NAN, '']])->getMessage());
    }

    public function testTextThatIsNotUtf8IsFoundByRowColumnAndByte(): void
    {
        $gbk = "\xB6\xA9\xB5\xA5";
        foreach ([$gbk, str_repeat('x', 200) . $gbk, "x\xE4\xB8", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80"] as $text) {
            $row = self::wrong([['1', '2'], [str_repeat('y', 300), $text]]);
            self::assertSame([2, 'b'], [$row->row(), $row->column()]);
            self::assertMatchesRegularExpression('/not UTF-8: byte 0x[0-9A-F]{2} at offset \d+/', $row->getMessage());
        }
        self::assertStringContainsString('byte 0xB6 at offset 200', self::wrong([['', str_repeat('x', 200) . $gbk]])->getMessage());
    }

    public function testACharacterIsNotPutTogetherFromTwoValues(): void
    {
        self::assertSame('a', self::wrong([["\xE4\xB8", "\xAD"]])->column());
        $long = str_repeat('x', 200);
        self::assertSame('a', self::wrong([["{$long}\xE4\xB8", "\xAD"]])->column());
        self::assertSame('a', self::wrong([["\xE4\xB8", "\xAD{$long}"]])->column());
    }

    public function testAnEncodedRowThatIsRightIsNeverRefused(): void
    {
        $texts = ['', "\0", "\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}", 'é王𝄞'];
        $rows = [];
        foreach ($texts as $first) {
            foreach ($texts as $second) {
                $rows[] = [$first, str_repeat($second, 60)];
            }
        }
        self::assertSame(100, self::batches(self::TWO, $rows)[0]->rows);
    }

    /**
     * @param list<string> $columns
     * @param iterable<mixed> $rows
     * @return list<Batch>
     */
    private static function batches(array $columns, iterable $rows): array
    {
        return iterator_to_array((new Encoder(Columns::of($columns)))->batches($rows), false);
    }

    /**
     * @param list<mixed> $rows
     * @param list<string> $columns
     */
    private static function one(array $rows, array $columns = self::TWO): string
    {
        [$batch] = self::batches($columns, $rows);
        return $batch->message;
    }

    /**
     * @param list<mixed> $rows
     * @param list<string> $columns
     */
    private static function wrong(array $rows, array $columns = self::TWO): InvalidRowException
    {
        try {
            self::batches($columns, $rows);
        } catch (InvalidRowException $wrong) {
            return $wrong;
        }
        self::fail('the rows were taken');
    }
}
