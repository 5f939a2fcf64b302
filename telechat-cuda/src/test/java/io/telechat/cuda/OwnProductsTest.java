// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.OpsContract;
import io.telechat.core.testing.ScalarBackend;

/** The forward formulas where cuBLASLt is not installed. */
@NeedsEmulation
class OwnProductsTest extends OpsContract {
    @Override
    protected Backend subject() {
        return CudaBackend.withoutLibrary(0, 1);
    }

    @Override
    protected Backend oracle() {
        return new ScalarBackend();
    }
}
