// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/** A request that cannot be served as it was made: a bad option, an empty prompt, a forged role marker. */
public class InvalidRequestException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public InvalidRequestException(String format, Object... arguments) {
        super(format, arguments);
    }

    public InvalidRequestException(Throwable cause, String format, Object... arguments) {
        super(cause, format, arguments);
    }
}
