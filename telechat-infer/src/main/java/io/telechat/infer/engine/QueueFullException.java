// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.InvalidRequestException;

/** More sequences wait than may. */
public final class QueueFullException extends InvalidRequestException {
    private static final long serialVersionUID = 1L;

    QueueFullException(int waiting) {
        super("%d requests are waiting already: try again later", waiting);
    }
}
