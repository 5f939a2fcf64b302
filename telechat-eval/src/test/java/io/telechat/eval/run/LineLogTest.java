// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LineLogTest {
    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void name() {
        file = directory.resolve("log.jsonl");
    }

    private LineLog<String, String> open(String settings) {
        return LineLog.open(
                file,
                object("settings", settings),
                line -> line.path("id").asText(),
                line -> line.path("value").asText());
    }

    private static ObjectNode object(String name, String value) {
        return JsonNodeFactory.instance.objectNode().put(name, value);
    }

    @Test
    void goesOnBehindWhatIsThereAndHalfALineIsNot() throws IOException {
        try (LineLog<String, String> log = open("s")) {
            log.add(object("id", "a").put("value", "壹"));
            log.add(object("id", "b").put("value", "2"));
        }
        Files.writeString(file, "{\"id\":\"c\",\"val", StandardOpenOption.APPEND);

        try (LineLog<String, String> log = open("s")) {
            assertEquals(Optional.of("壹"), log.get("a"));
            assertEquals(Optional.empty(), log.get("c"));
            log.add(object("id", "c").put("value", "3"));
            log.publish(directory.resolve("out.jsonl"), List.of("c", "a", "b"));
            log.delete();
        }
        assertEquals("""
            {"id":"c","value":"3"}
            {"id":"a","value":"壹"}
            {"id":"b","value":"2"}
            """, Files.readString(directory.resolve("out.jsonl")));
        assertFalse(Files.exists(file));
    }

    @Test
    void ofTwoLinesTheLaterCounts() throws IOException {
        try (LineLog<String, String> log = open("s")) {
            log.add(object("id", "a").put("value", "1"));
            log.add(object("id", "a").put("value", "2"));
        }
        try (LineLog<String, String> log = open("s")) {
            assertEquals(Optional.of("2"), log.get("a"));
            log.publish(directory.resolve("out.jsonl"), List.of("a"));
        }
        assertEquals("{\"id\":\"a\",\"value\":\"2\"}\n", Files.readString(directory.resolve("out.jsonl")));
    }

    @Test
    void aRunWithOtherSettingsDoesNotGoOnWithIt() {
        open("s").close();

        assertThrows(InvalidInputException.class, () -> open("t"));
    }
}
