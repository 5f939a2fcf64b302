// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSchemaTest {
    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    private static Grammar grammar(String schema) throws IOException {
        return JsonSchema.compile(MAPPER.readTree(schema));
    }

    private static boolean accepts(Grammar grammar, String text) {
        return accepts(grammar, text.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean accepts(Grammar grammar, byte[] text) {
        Grammar.State state = grammar.start();
        for (byte b : text) {
            state = state.next(b & 0xff);
            if (state == null) {
                return false;
            }
        }
        return state.isAccepting();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "{\"type\":\"boolean\"} ~ true ~ 1",
                "{\"type\":\"null\"} ~ null ~ nul",
                "{\"enum\":[\"a\",1,null,{\"b\":[]}]} ~ {\"b\":[]} ~ \"b\"",
                "{\"const\":\"\u4e2d\ud83d\ude00 \\\"q\"} ~ \"\u4e2d\ud83d\ude00 \\\"q\" ~ \"\u4e2d\"",
                "{\"type\":\"string\"} ~ \"a\u00e9\u4e2d\ud83d\ude00\\n\" ~ \"a",
                "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3} ~ \"\u4e2d\u6587\" ~ \"abcd\"",
                "{\"type\":\"string\",\"pattern\":\"^[a-c]{2}\\\\d+$\"} ~ \"ab12\" ~ \"ad1\"",
                "{\"type\":\"string\",\"pattern\":\"b|c\"} ~ \"xcx\" ~ \"xdx\"",
                "{\"type\":\"integer\"} ~ -120 ~ 1.5",
                "{\"type\":\"number\"} ~ -0.25e-3 ~ 01",
                "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":2,\"maxItems\":3} ~ [null, null] ~"
                        + " [null]",
                "{\"type\":\"array\",\"maxItems\":0} ~ [] ~ [1]",
                "{\"properties\":{\"a\":{},\"b\":{\"type\":\"null\"}},\"required\":[\"b\"]} ~ {\"b\": null} ~ {\"a\":"
                        + " 1}",
                "{\"properties\":{\"a\":{},\"b\":{}}} ~ {\"b\":{\"x\":[1, true]}} ~ {\"b\":1,\"a\":1}",
                "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"}} ~ {\"k\":null,\"l\":null} ~"
                        + " {\"k\":1}",
                "{\"type\":[\"null\",\"integer\"]} ~ 7 ~ true",
                "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"integer\"}],\"description\":\"x\"} ~ null ~ \"\"",
                "{\"$defs\":{\"n\":{\"properties\":{\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/n\"},{\"type\":\"null\"}]}},\"required\":[\"next\"]}},\"$ref\":\"#/$defs/n\"}"
                    + " ~ {\"next\":{\"next\":null}} ~ {\"next\":1}",
                "true ~ [1, {\"a\": \"b\"}] ~ [1  ]"
            })
    void takesWhatKeepsToTheSchemaAndNothingElse(String schema, String good, String bad) throws IOException {
        assertTrue(accepts(grammar(schema), good.strip()), schema + " takes " + good);
        assertTrue(!accepts(grammar(schema), bad.strip()), schema + " refuses " + bad);
    }

    @ParameterizedTest
    @CsvSource({
        "0,99",
        "-5,5",
        "7,7",
        "-300,-7",
        "95,1234",
        "0,0",
        "-1,0",
        "999,1000",
        "100,199",
        "-10000,12345",
        "12,340"
    })
    void integersBetweenBoundsAreAllThereAndNoOthers(int least, int most) throws IOException {
        Grammar grammar = grammar("{\"type\":\"integer\",\"minimum\":%d,\"maximum\":%d}".formatted(least, most));
        for (int i = least - 1200; i <= most + 1200; i++) {
            assertEquals(i >= least && i <= most, accepts(grammar, Integer.toString(i)), "number " + i);
        }
        assertTrue(!accepts(grammar, "-0") && !accepts(grammar, "00"));
    }

    @Test
    void openBoundsAndExclusiveOnes() throws IOException {
        Grammar positive = grammar("{\"type\":\"integer\",\"exclusiveMinimum\":0}");
        assertTrue(accepts(positive, "1") && accepts(positive, "98765432101") && !accepts(positive, "0"));
        Grammar low = grammar("{\"type\":\"integer\",\"exclusiveMaximum\":-2.5}");
        assertTrue(accepts(low, "-3") && accepts(low, "-4711") && !accepts(low, "-2") && !accepts(low, "5"));
    }

    /** The JDK's own regular expressions are the independent truth. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "^a(b|cd)*e?$",
                "^[^a-c]{1,3}$",
                "^(x|y){2,}z$",
                "^\\w+@\\w+\\.com$",
                "^.{0,2}$",
                "^[a\\-z]+$",
                "abc",
                "^(a|ab)(c|bcd)$",
                "^\\S\\s?\\S$",
                "^\\u0061\\x62?$",
                "^(a*)*b$"
            })
    void patternsMatchWhatTheyMatchElsewhere(String pattern) throws IOException {
        Grammar grammar = JsonSchema.compile(
                MAPPER.createObjectNode().put("type", "string").put("pattern", pattern));
        Pattern truth = Pattern.compile(pattern.replaceFirst("\\$$", "\\\\z")); // Java's $ lets a line end follow
        Random random = new Random(1);
        String letters = "abcdexyz-@._ \u00e9\u4e2d\"\\\n";
        String[] likely = {"abcde", "xyz", "xyxyz", "a@b.com", "ab", "acd", "abcd", "a b", "aab", "b", ""};
        for (int i = 0; i < 3000; i++) {
            StringBuilder text = new StringBuilder(i < likely.length ? likely[i] : "");
            for (int length = i < likely.length ? 0 : random.nextInt(7); length > 0; length--) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            String json = MAPPER.writeValueAsString(text.toString());
            assertEquals(truth.matcher(text).find(), accepts(grammar, json), pattern + " and " + json);
        }
    }

    @Test
    void onlyProperUtf8ComesInStrings() throws IOException {
        Grammar grammar = grammar("{\"type\":\"string\"}");
        int[][] wrong = {
            {0xc0, 0xaf}, {0xed, 0xa0, 0x80}, {0xf4, 0x90, 0x80, 0x80}, {0x80}, {0xe2, 0x82}, {0xff}, {0x0a}
        };
        for (int[] bytes : wrong) {
            byte[] text = new byte[bytes.length + 2];
            text[0] = '"';
            for (int i = 0; i < bytes.length; i++) {
                text[i + 1] = (byte) bytes[i];
            }
            text[text.length - 1] = '"';
            assertTrue(!accepts(grammar, text));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"hiccup\"}",
                "{\"type\":1}",
                "5",
                "{\"$ref\":\"http://x/y\"}",
                "{\"$ref\":\"#/nowhere\"}",
                "{\"$ref\":\"#\"}",
                "{\"enum\":[]}",
                "{\"type\":\"string\",\"pattern\":\"([\"}",
                "{\"type\":\"string\",\"pattern\":\"^(((a{1,99}){1,99}){1,99}){1,99}$\"}",
                "{\"type\":\"string\",\"pattern\":\"(?=a)b\"}",
                "{\"type\":\"array\",\"minItems\":10000000}",
                "{\"type\":\"array\",\"minItems\":3,\"maxItems\":2}",
                "{\"type\":\"object\",\"patternProperties\":{}}",
                "{\"type\":\"number\",\"minimum\":0}",
                "{\"allOf\":[{},{}]}",
                "{\"type\":\"integer\",\"minimum\":2,\"maximum\":1}",
                "{\"required\":\"a\"}",
                "{\"type\":\"integer\",\"minimum\":1e-600000000}",
                "{\"$ref\":\"#/$defs/a\",\"required\":[\"x\"],\"$defs\":{\"a\":{}}}",
                "{\"allOf\":[{}],\"minLength\":2}",
                "{\"properties\":[]}"
            })
    void whatIsNoSchemaOrNotDoneHereIsRefused(String schema) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(10),
                () -> assertThrows(InvalidRequestException.class, () -> grammar(schema), schema));
    }

    @Test
    void listsInListsAreWrittenDownOnce() {
        String deep = "{\"type\":\"array\",\"items\":".repeat(40) + "{\"type\":\"null\"}" + "}".repeat(40);
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            Grammar grammar = grammar(deep);
            assertTrue(accepts(grammar, "[".repeat(40) + "null" + "]".repeat(40)));
        });
    }

    @Test
    void whatIsForgottenIsFoundOutAgain() throws IOException {
        Grammar grammar = grammar("{\"type\":\"string\",\"maxLength\":20000}");
        assertTrue(accepts(grammar, "\"" + "a".repeat(20_000) + "\""));
        assertTrue(!accepts(grammar, "\"" + "a".repeat(20_001) + "\""));
        assertTrue(accepts(grammar, "\"" + "b".repeat(20_000) + "\""));
    }

    @Test
    void depthIsBounded() throws IOException {
        String deep = "{\"type\":\"array\",\"items\":".repeat(100) + "{}" + "}".repeat(100);
        JsonNode schema = MAPPER.readTree(deep);
        assertThrows(InvalidRequestException.class, () -> JsonSchema.compile(schema));
    }
}
