// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    @Test
    void eachStringCutsInItsTurn() {
        assertEquals("a ", StopStrings.cut("a Question: b", List.of("Question:", "a b"), "</s>"));
        assertEquals("a", StopStrings.cut("a</s>b", List.of("Question:"), "</s>"));
        assertEquals("a b", StopStrings.cut("a b", List.of(), "</s>"));
    }
}
