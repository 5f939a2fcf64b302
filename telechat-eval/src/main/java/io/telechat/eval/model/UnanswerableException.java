// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.TelechatException;

/** A conversation that cannot be answered, though others can: it is too long, or the server will not have it. */
public final class UnanswerableException extends InvalidRequestException {
    private static final long serialVersionUID = 1L;

    public UnanswerableException(String format, Object... arguments) {
        super(format, arguments);
    }

    public UnanswerableException(TelechatException cause) {
        super(cause, "%s", cause.message());
    }
}
