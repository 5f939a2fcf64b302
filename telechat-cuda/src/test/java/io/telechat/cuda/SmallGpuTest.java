// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.OpsContract;
import io.telechat.core.testing.ScalarBackend;

/** The forward formulas on a GPU with the 99 KiB of shared memory that sm_86 and sm_89 have. */
@NeedsEmulation
class SmallGpuTest extends OpsContract {
    private static final int SMALL = 4;

    @Override
    protected Backend subject() {
        return CudaBackend.open(SMALL, 1);
    }

    @Override
    protected Backend oracle() {
        return new ScalarBackend();
    }
}
