// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.ops.OpsContract;

/** The kernels against ND4J, their twin. */
class CpuOpsTest extends OpsContract {
    @Override
    protected Backend subject() {
        return Backends.byName("cpu", 3);
    }

    @Override
    protected Backend oracle() {
        return Backends.byName("nd4j", 1);
    }
}
