<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Tests\Unit;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\ClientOptions;
use ExportMiddleware\Client\Exception\InvalidRequestException;
use PHPUnit\Framework\TestCase;

/** Where a server is, and how it is talked to. */
final class ClientOptionsTest extends TestCase
{
    public function testAnAddressMayBeWrittenInSeveralWays(): void
    {
        $plain = ['http://h:1' => 'h:1', 'grpc://h:1' => 'h:1', 'h:1' => 'h:1', 'http://h' => 'h:9090', 'h' => 'h:9090',
            '127.0.0.1:5/' => '127.0.0.1:5', '[::1]:7' => '[::1]:7'];
        foreach ($plain as $text => $target) {
            self::assertSame([$target, false], [Address::of($text)->target(), Address::of($text)->tls], $text);
        }
        foreach (['https://h:1', 'grpc+tls://h:1', 'grpcs://h:1'] as $text) {
            self::assertSame('https://h:1/x', Address::of($text)->url('/x'));
        }
    }

    public function testAnAddressThatIsNoneIsRefusedWithoutItsCredentials(): void
    {
        foreach (['', 'ftp://h:1', 'http://user:secret@h:1', 'http://h:1/path', 'http://', 'h:99999'] as $text) {
            try {
                Address::of($text);
                self::fail("taken: $text");
            } catch (InvalidRequestException $refused) {
                self::assertStringContainsString('it looks like http://host:9090', $refused->getMessage());
                self::assertStringNotContainsString('secret', $refused->getMessage());
            }
        }
    }

    public function testATokenIsSentAndNeverShown(): void
    {
        $options = new ClientOptions(token: 'secret', metadata: ['traceparent' => '00-1']);
        self::assertSame(['authorization' => 'Bearer secret', 'traceparent' => '00-1'], $options->headers());
        self::assertStringNotContainsString('secret', print_r($options, true));
        ob_start();
        var_dump($options);
        self::assertStringNotContainsString('secret', (string) ob_get_clean());
    }

    public function testWhatWouldBeAnotherHeaderIsRefusedWithoutShowingIt(): void
    {
        foreach ([['token' => "a\r\nx: secret"], ['metadata' => ['k' => "secret\n"]], ['metadata' => ['K' => 'secret']],
            ['metadata' => ['grpc-timeout' => 'secret']], ['metadata' => ["k\n" => 'secret']]] as $arguments) {
            try {
                new ClientOptions(...$arguments);
                self::fail('taken');
            } catch (InvalidRequestException $refused) {
                self::assertStringNotContainsString('secret', $refused->getMessage());
            }
        }
    }

    public function testATimeThatIsNoneIsNamed(): void
    {
        $this->expectException(InvalidRequestException::class);
        $this->expectExceptionMessage('callTimeout is 0; it must be above 0 seconds');
        new ClientOptions(callTimeout: 0.0);
    }
}
