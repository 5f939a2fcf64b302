// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

/** A request and the way back to its client. */
public interface HttpExchange {
    RequestHead head();

    /** Tells the request from all others; its answer carries it as {@code X-Request-Id}. */
    String id();

    byte[] body();

    /** Has something done when the client leaves before it is answered, or at once if it has left. */
    void onLeave(Runnable action);

    /** Ends the connection at once, without an answer. Does not wait. */
    void abort();

    /** Answers. */
    void reply(HttpReply reply);

    /** Begins an answer whose body comes in pieces. */
    Stream stream(HttpReply head);

    /** A body that is written piece by piece. Waits while the client does not read; not for several threads. */
    interface Stream {
        /** @throws ClientGoneException if the client has left, or has not read for too long */
        void write(String text);

        /** Ends the body. */
        void end();
    }
}
