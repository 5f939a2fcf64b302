// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

/** Training has left the range of numbers: a loss or a gradient is not finite any more. */
public final class DivergedException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public DivergedException(String format, Object... arguments) {
        super(format, arguments);
    }
}
