// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What stands for bytes that are no characters: by Python's {@code bytes.decode('utf-8', 'replace')}, and by SentencePiece. */
class Utf8BufferTest {
    @ParameterizedTest
    @CsvSource({
        "eda080, ???, ???",
        "e4b878, ?x, ??x",
        "c080, ??, ??",
        "f0908078, ?x, ???x",
        "f4908080, ????, ????",
        "e4b8, ?, ??",
        "f09f98e4b8ad, ?中, ???中",
        "80ff41, ??A, ??A",
        "e4e4b8ad, ?中, ?中",
        "e08080, ???, ???",
        "f0f0908080, ?\ud800\udc00, ?\ud800\udc00",
    })
    void badBytes(String hex, String python, String sentencePiece) {
        assertEquals(python.replace('?', '\ufffd'), decode(hex, false));
        assertEquals(sentencePiece.replace('?', '\ufffd'), decode(hex, true));
    }

    private static String decode(String hex, boolean replacesEachByte) {
        Utf8Buffer buffer = new Utf8Buffer(replacesEachByte);
        StringBuilder text = new StringBuilder();
        buffer.add(HexFormat.of().parseHex(hex), text);
        buffer.finish(text);
        return text.toString();
    }
}
