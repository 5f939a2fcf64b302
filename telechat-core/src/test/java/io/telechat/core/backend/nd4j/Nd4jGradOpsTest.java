// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.ops.GradOpsContract;
import io.telechat.core.testing.ScalarBackend;
import org.junit.jupiter.api.Tag;

/** ND4J against the definitions in plain loops. */
@Tag("slow")
class Nd4jGradOpsTest extends GradOpsContract {
    @Override
    protected Backend subject() {
        return Backends.byName("nd4j", 1);
    }

    @Override
    protected Backend oracle() {
        return new ScalarBackend();
    }
}
