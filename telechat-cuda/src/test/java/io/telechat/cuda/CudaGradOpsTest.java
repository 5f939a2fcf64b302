// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.GradOpsContract;
import io.telechat.core.testing.ScalarBackend;

/** Likewise, the backward formulas. */
@NeedsEmulation
class CudaGradOpsTest extends GradOpsContract {
    @Override
    protected Backend subject() {
        return CudaBackend.open(0, 1);
    }

    @Override
    protected Backend oracle() {
        return new ScalarBackend();
    }
}
