// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What docs/library.md shows is part of tests that are compiled and run. */
class LibraryGuideTest {
    private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
    private static final List<String> MODULES = List.of("infer", "train", "eval", "djl", "langchain4j", "spring-ai");

    private static String withoutBlanks(String text) {
        return text.replaceAll("\\s+", "");
    }

    private static String snippets() throws IOException {
        StringBuilder all = new StringBuilder();
        for (String module : MODULES) {
            try (Stream<Path> files = Files.list(Path.of("../telechat-" + module + "/src/test/java/snippets"))) {
                for (Path file : files.toList()) {
                    all.append(Files.readString(file));
                }
            }
        }
        return withoutBlanks(all.toString());
    }

    @Test
    void allItsCodeIsOfTests() throws IOException {
        String snippets = snippets();
        Matcher code = JAVA.matcher(Files.readString(Path.of("../docs/library.md")));
        int pieces = 0;
        while (code.find()) {
            assertTrue(snippets.contains(withoutBlanks(code.group(1))), code::group);
            pieces++;
        }
        assertTrue(pieces > 8, "no code was found");
    }
}
