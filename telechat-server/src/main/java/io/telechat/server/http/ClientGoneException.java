// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

/** The client has left, or does not read. */
public final class ClientGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ClientGoneException(String message) {
        super(message, null, false, false);
    }
}
