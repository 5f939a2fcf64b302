// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import io.telechat.core.TelechatException;

/** The driver, or a library of NVIDIA's, has refused or failed. After a kernel's failure nothing more can be done on its GPU. */
public final class CudaException extends TelechatException {
    private static final long serialVersionUID = 1L;

    public CudaException(String format, Object... arguments) {
        super(format, arguments);
    }

    public CudaException(Throwable cause, String format, Object... arguments) {
        super(cause, format, arguments);
    }
}
