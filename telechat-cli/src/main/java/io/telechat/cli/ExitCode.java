// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.DivergedException;
import io.telechat.core.InsufficientMemoryException;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.RankException;

/** Exit codes, as README documents them. */
final class ExitCode {
    static final int OK = 0;
    static final int INTERNAL = 1;
    static final int USAGE = 2;
    static final int BAD_DATA = 3;
    static final int NO_MEMORY = 4;
    static final int RANK_FAILED = 5;
    static final int INTERRUPTED = 130;
    static final int PIPE_CLOSED = 141;
    static final int TERMINATED = 143;

    private ExitCode() {}

    static int of(Throwable failure) {
        return switch (failure) {
            case InvalidRequestException e -> USAGE;
            case InvalidModelException e -> BAD_DATA;
            case InvalidInputException e -> BAD_DATA;
            case DivergedException e -> BAD_DATA;
            case InsufficientMemoryException e -> NO_MEMORY;
            case RankException e -> RANK_FAILED;
            case OutOfMemoryError e -> NO_MEMORY;
            case InternalError e when String.valueOf(e.getMessage()).contains("unsafe memory access") -> BAD_DATA;
            default -> INTERNAL;
        };
    }
}
