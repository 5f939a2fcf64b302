// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import java.util.Optional;

/** Answers requests. */
public interface HttpHandler {
    /** Looks at a request before its body is read, on a thread that must not wait; a reply refuses it. */
    Optional<HttpReply> refuse(RequestHead head);

    /**
     * Answers a request, on a virtual thread of its own.
     *
     * @throws ClientGoneException if there is nobody to be answered any more
     */
    void handle(HttpExchange exchange);

    /** What is said of a request that is malformed or breaks a limit. */
    HttpReply malformed(int status, String what);
}
