// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.OpsContract;
import io.telechat.core.testing.ScalarBackend;

/** The kernels, run by the emulation, against the definitions in plain loops. */
@NeedsEmulation
class CudaOpsTest extends OpsContract {
    @Override
    protected Backend subject() {
        return CudaBackend.open(0, 1);
    }

    @Override
    protected Backend oracle() {
        return new ScalarBackend();
    }
}
