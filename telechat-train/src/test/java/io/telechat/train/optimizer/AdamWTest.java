// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which parameters decay, and how far gradients are clipped, as the reference does both. */
class AdamWTest {
    @ParameterizedTest
    @CsvSource({
        "transformer.wte.weight, true",
        "transformer.h.0.ln_1.weight, true",
        "transformer.ln_f.weight, true",
        "transformer.h.3.input_layernorm.weight, true",
        "transformer.h.3.self_attention.dense.weight, true",
        "transformer.h.3.self_attention.dense.bias, false",
        "transformer.h.3.mlp.down_proj.bias, false",
        "encoder.LayerNorm.weight, false"
    })
    void decaysAsTheReferencesGroups(String name, boolean decays) {
        assertEquals(decays, AdamW.decays(name));
    }

    @Test
    void clipsLongGradientsOnly() {
        assertEquals(1, GradientClipping.scale(0.5, 1));
        assertEquals(1 / 4.000001, GradientClipping.scale(4, 1), 1e-12);
        assertEquals(2 / 4.000001, GradientClipping.scale(4, 2), 1e-12);
    }
}
