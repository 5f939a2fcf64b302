// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import java.time.Duration;

/**
 * What a server puts up with.
 *
 * @param targetBytes of a request line
 * @param headerBytes of all header lines together
 * @param headerLines of a request
 * @param bodyBytes of a request
 * @param header from a request's first byte to the end of its header
 * @param body from there to the end of its body
 * @param idle between two requests
 * @param stalled how long a client may not read what is written to it
 * @param connections at once
 */
public record HttpLimits(
        int targetBytes,
        int headerBytes,
        int headerLines,
        long bodyBytes,
        Duration header,
        Duration body,
        Duration idle,
        Duration stalled,
        int connections) {
    /** @param bodyBytes of a request */
    public static HttpLimits standard(long bodyBytes) {
        return new HttpLimits(
                8 << 10,
                64 << 10,
                100,
                bodyBytes,
                Duration.ofSeconds(15),
                Duration.ofSeconds(30),
                Duration.ofSeconds(120),
                Duration.ofSeconds(30),
                1024);
    }
}
