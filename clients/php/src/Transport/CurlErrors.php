<?php

declare(strict_types=1);

namespace ExportMiddleware\Client\Transport;

use ExportMiddleware\Client\Address;
use ExportMiddleware\Client\Exception\ErrorCode;

/**
 * What libcurl's errors mean here.
 *
 * @internal
 */
final class CurlErrors
{
    private function __construct()
    {
    }

    /**
     * @param int $number of libcurl, 0 where a call ended well but without an answer
     */
    public static function of(int $number, Address $address): TransportException
    {
        $cause = self::cause($number, $address);
        $code = $number === CURLE_OPERATION_TIMEDOUT ? ErrorCode::TimedOut : ErrorCode::ConnectionFailed;
        return new TransportException("the export server at {$address->target()}: $cause", $code);
    }

    public static function timedOut(Address $address): TransportException
    {
        $message = "the export server at {$address->target()} did not answer in the time that this client has";
        return new TransportException($message, ErrorCode::TimedOut);
    }

    private static function cause(int $number, Address $address): string
    {
        return match ($number) {
            CURLE_COULDNT_RESOLVE_HOST => 'the host name is not known',
            CURLE_COULDNT_CONNECT => 'connection refused; is the server running at that address and port?',
            CURLE_OPERATION_TIMEDOUT => 'no answer in time; is a firewall in between?',
            CURLE_SSL_CONNECT_ERROR => 'the TLS handshake failed; https:// is for servers with TLS, http:// for '
                . 'those without, and some ask for a certificate of the client',
            CURLE_SSL_CACERT, CURLE_SSL_PEER_CERTIFICATE => 'its certificate is not to be trusted, or is another '
                . "host's; see TlsOptions::caFile",
            CURLE_SSL_CACERT_BADFILE => 'the file of TlsOptions::caFile cannot be read as PEM certificates',
            CURLE_SSL_CERTPROBLEM => 'the file of TlsOptions::certificateFile or keyFile cannot be used',
            CURLE_OK => 'the call ended without an answer; the server may have stopped',
            default => 'the connection broke; the server may have stopped'
                . ($address->tls ? '' : ', or it asks for TLS: https://')
                . ' (' . (curl_strerror($number) ?? "libcurl $number") . ')',
        };
    }
}
