// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli.repl;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuggestionsTest {
    private static final List<String> COMMANDS = List.of(
            "chat",
            "generate",
            "serve",
            "bench",
            "bench-serve",
            "quantize",
            "train",
            "train-tokenizer",
            "plan",
            "clean");

    @ParameterizedTest
    @CsvSource({
        "trian, train",
        "chta, chat",
        "quantze, quantize",
        "generat, generate",
        "Chat, chat",
        "benchserve, bench-serve",
        "trai, train train-tokenizer",
        "frobnicate, ''",
        "x, ''"
    })
    void namesWhatIsNear(String typed, String expected) {
        List<String> wanted = expected.isEmpty() ? List.of() : Arrays.asList(expected.split(" "));
        assertEquals(wanted, Suggestions.near(typed, COMMANDS));
    }

    @Test
    void aSwapIsOneSlip() {
        assertEquals(1, Suggestions.distance("trian", "train"));
        assertEquals(3, Suggestions.distance("kitten", "sitting"));
        assertEquals(3, Suggestions.distance("ca", "abc")); // not 2: nothing is changed twice
    }
}
