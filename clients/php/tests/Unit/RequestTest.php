<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Unit;

use ExportMiddleware\Client\Column;
use ExportMiddleware\Client\Columns;
use ExportMiddleware\Client\CsvOptions;
use ExportMiddleware\Client\DataType;
use ExportMiddleware\Client\ExcelOptions;
use ExportMiddleware\Client\Exception\InvalidRequestException;
use ExportMiddleware\Client\ExportClient;
use ExportMiddleware\Client\ExportRequest;
use ExportMiddleware\Client\Format;
use PHPUnit\Framework\TestCase;

/** What is asked before any row: refused here where it can be, sent as the contract has it. */
final class RequestTest extends TestCase
{
    public function testTheFirstMessageIsTheBytesOfTheContract(): void
    {
        $columns = Columns::of(['id' => DataType::Number, new Column('d', DataType::Date, 12, 'yyyy')]);
        $request = new ExportRequest('r1', 'o.xlsx', Format::Excel, $columns, new ExcelOptions('S', 3, true), false);
        $metadata = '0a02' . bin2hex('r1') . '1001' . '1a06' . bin2hex('o.xlsx')
            . '2206' . '0a02' . bin2hex('id') . '1002'
            . '220d' . '0a01' . bin2hex('d') . '1003' . '180c' . '2204' . bin2hex('yyyy')
            . '2a07' . '1a01' . bin2hex('S') . '2003' . '2801';
        $length = dechex(strlen($metadata) / 2);
        self::assertSame("0a$length$metadata", bin2hex($request->message()));
    }

    public function testColumnsInShortAreColumns(): void
    {
        $columns = Columns::of(['name', 'id' => DataType::Number, '2024' => DataType::Date, new Column('x', width: 3)]);
        self::assertEquals(
            [new Column('name'), new Column('id', DataType::Number), new Column('2024', DataType::Date), new Column('x', width: 3)],
            $columns->all,
        );
        self::assertSame(['name', 'id', 2024, 'x'], $columns->keys);
    }

    public function testTheFilenameSaysTheFormat(): void
    {
        self::assertSame(Format::Excel, Format::ofFilename('订单.XLSX'));
        self::assertSame(Format::Csv, Format::ofFilename('orders.2024.csv'));
    }

    public function testWhatIsWrongIsNamed(): void
    {
        $this->assertRefused('end it in .xlsx or .csv', filename: 'orders');
        $this->assertRefused('no columns were given', columns: []);
        $this->assertRefused("column 'id' is string", columns: ['id' => 'number']);
        $this->assertRefused('column \'0\' is int', columns: [5]);
        $this->assertRefused('CsvOptions are for Csv, and the file is Excel', options: new CsvOptions());
        $this->assertRefused('requestId has 129 bytes', requestId: str_repeat('x', 129));
        $this->assertRefused('requestId has 0 bytes', requestId: '');
        $this->assertRefused('filename: the text is not UTF-8: byte 0xB6 at offset 0', filename: "\xB6\xA9.xlsx");
        $this->assertRefused('the name of column 2: the text is not UTF-8', columns: ['a', "\xB6"]);
        $this->assertRefused('ExcelOptions: the text is not UTF-8', options: new ExcelOptions("\xB6"));
    }

    public function testValuesThatMakeNoSenseAreRefusedWhereTheyAreGiven(): void
    {
        foreach ([fn() => new Column(''), fn() => new Column('a', width: -1), fn() => new ExcelOptions(startRow: -1)] as $make) {
            try {
                $make();
            } catch (InvalidRequestException $refused) {
                self::assertFalse($refused->retryable());
                continue;
            }
            self::fail('taken');
        }
    }

    /** Nothing is listening: what is refused here is refused before any connection. */
    private function assertRefused(string $part, mixed ...$arguments): void
    {
        $client = new ExportClient('127.0.0.1:1');
        try {
            $client->export(...$arguments + ['rows' => [], 'filename' => 'o.xlsx', 'columns' => ['a']]);
        } catch (InvalidRequestException $refused) {
            self::assertStringContainsString($part, $refused->getMessage());
            return;
        }
        self::fail("taken, instead of: $part");
    }
}
