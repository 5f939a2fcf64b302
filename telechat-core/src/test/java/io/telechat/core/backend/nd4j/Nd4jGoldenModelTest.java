// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.model.GoldenModelContract;
import org.junit.jupiter.api.Tag;

@Tag("slow")
class Nd4jGoldenModelTest extends GoldenModelContract {
    @Override
    protected Backend backend() {
        return Backends.byName("nd4j", 2);
    }
}
