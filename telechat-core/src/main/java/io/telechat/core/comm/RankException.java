// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import io.telechat.core.TelechatException;

/** Another rank has failed, hangs, or does something else than this one: the ranks cannot go on together. */
public final class RankException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public RankException(String format, Object... arguments) {
        super(format, arguments);
    }

    public RankException(Throwable cause, String format, Object... arguments) {
        super(cause, format, arguments);
    }
}
