// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.ScalarBackend;
import org.junit.jupiter.api.Test;

class TracingOpsTest {
    @Test
    void countsCallsAndNamesTheFirstResultThatIsNotFinite() {
        try (ScalarBackend backend = new ScalarBackend();
                HostArena arena = new HostArena()) {
            TracingOps traced = new TracingOps(backend);
            Tensor x = arena.allocate(DType.F32, 2, 3).setFloats(1, 2, 3, 4, 5, 6);
            traced.scale(x, 2);
            traced.scale(x, 2);
            assertEquals(24, x.getFloat(5));
            assertEquals(2, traced.costs().get("scale").calls());
            assertEquals(2 * 2 * 24, traced.costs().get("scale").bytes());
            assertTrue(traced.report().startsWith("scale"), traced.report());
            x.setFloat(4, Float.NaN);
            ArithmeticException e = assertThrows(ArithmeticException.class, () -> traced.scale(x, 2));
            assertEquals("scale gave NaN at row 1, column 1 of f32[2, 3]", e.getMessage());
        }
    }
}
