// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.Backends;
import io.telechat.core.model.GoldenModelContract;
import org.junit.jupiter.api.Tag;

@NeedsEmulation
@Tag("slow")
class CudaGoldenModelTest extends GoldenModelContract {
    @Override
    protected Backend backend() {
        return Backends.byName("cuda", 2);
    }
}
