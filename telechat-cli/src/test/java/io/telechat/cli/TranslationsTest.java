// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.cli.MessageSource.Call;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.Translations;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Chinese: nothing is missing, nothing is left over, and what goes into a text goes into its translation. */
@Isolated("the language of the JVM")
class TranslationsTest {
    private static final Pattern SPECIFIER = Pattern.compile("%(?:(\\d+)\\$)?[-#+ 0,(]*\\d*(?:\\.\\d+)?([a-zA-Z%])");
    private static final Pattern LETTER = Pattern.compile("\\p{IsAlphabetic}");

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"core", "cuda", "train", "infer", "eval", "server", "cli"})
    void everyTextOfAModuleHasATranslationInItsFile(String module) throws IOException {
        Set<String> wanted = new TreeSet<>();
        calls(module).forEach(call -> wanted.add(call.format()));
        if (module.equals("cli")) {
            wanted.addAll(HelpTranslation.texts(Commands.all(), Translations.of(Locale.ENGLISH)));
        }
        wanted.removeIf(
                text -> !LETTER.matcher(SPECIFIER.matcher(text).replaceAll("")).find()); // such as "%s: %s"

        Set<String> there = file(module).keySet();
        Set<String> missing = new TreeSet<>(wanted);
        missing.removeAll(there);
        Set<String> left = new TreeSet<>(there);
        left.removeAll(wanted);
        assertEquals(Set.of(), missing, "texts without a translation");
        assertEquals(Set.of(), left, "translations without a text");
    }

    @ParameterizedTest
    @ValueSource(strings = {"core", "cuda", "train", "infer", "eval", "server", "cli"})
    void translationsTakeTheSameValues(String module) throws IOException {
        file(module)
                .forEach((english, chinese) ->
                        assertEquals(specifiers(english), specifiers(chinese), english + " -> " + chinese));
    }

    @ParameterizedTest
    @ValueSource(strings = {"core", "cuda", "train", "infer", "eval", "server", "cli"})
    void everyMessageIsGivenTheValuesItAsksFor(String module) throws IOException {
        for (Call call : calls(module)) {
            if (call.arguments() >= 0) {
                assertEquals(specifiers(call.format()).size(), call.arguments(), call.place());
            }
        }
    }

    @Test
    void messagesInMessagesAreTranslatedToo() {
        Message message = Message.of("%s: cannot be read: %s", "a.json", Message.of("no permission"));

        assertEquals("a.json: cannot be read: no permission", message.toString());
        assertEquals("a.json：无法读取：没有权限", message.in(Locale.SIMPLIFIED_CHINESE));
        assertEquals(message.toString(), message.in(Locale.FRENCH));
    }

    @Test
    void exceptionsSpeakBothLanguages() {
        Locale before = Locale.getDefault(Locale.Category.DISPLAY);
        try {
            Locale.setDefault(Locale.Category.DISPLAY, Locale.SIMPLIFIED_CHINESE);
            InvalidRequestException failure =
                    new InvalidRequestException("the prompt is empty: there is nothing to continue");

            assertEquals("the prompt is empty: there is nothing to continue", failure.getMessage());
            assertEquals("提示为空：没有可续写的内容", failure.getLocalizedMessage());
        } finally {
            Locale.setDefault(Locale.Category.DISPLAY, before);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "LANG=zh_CN.UTF-8, zh",
        "LANG=zh_CN, zh",
        "LANG=zh_TW.UTF-8 LC_MESSAGES=en_US.UTF-8, en",
        "LANG=en_US.UTF-8 LC_ALL=zh, zh",
        "LANG=zh_CN.UTF-8 LC_ALL=C.UTF-8, en",
        "LANG=POSIX, en"
    })
    void theLanguageIsThatOfTheEnvironment(String variables, String language) {
        Map<String, String> environment = new HashMap<>();
        for (String variable : variables.split(" ")) {
            environment.put(variable.split("=")[0], variable.split("=")[1]);
        }
        Locale before = Locale.getDefault(Locale.Category.DISPLAY);
        try {
            Languages.install(environment);
            assertEquals(language, Locale.getDefault(Locale.Category.DISPLAY).getLanguage());
        } finally {
            Locale.setDefault(Locale.Category.DISPLAY, before);
        }
    }

    @Tag("slow")
    @Test
    void programsSpeakChinese() throws Exception {
        Program.Result help = runInChinese("train", "--help");
        Program.Result failure = runInChinese("info", "/nowhere");
        Program.Result usage = runInChinese("train", "--seed", "x");

        assertTrue(help.out().contains("用法"), help.out());
        assertTrue(help.out().contains("检查点"), help.out());
        assertFalse(help.out().contains("updates"), help.out());
        assertTrue(failure.err().contains("没有这个目录"), failure.err());
        assertTrue(usage.err().contains("不是整数"), usage.err());
    }

    private Program.Result runInChinese(String... args) throws Exception {
        return Program.start(directory, Map.of("LC_ALL", "", "LANG", "zh_CN.UTF-8"), args)
                .result();
    }

    private static List<Call> calls(String module) throws IOException {
        return MessageSource.calls(Path.of("../telechat-" + module + "/src/main/java"));
    }

    private static Map<String, String> file(String module) throws IOException {
        Path file = Path.of("../telechat-" + module + "/src/main/resources/META-INF/telechat/messages_zh.json");
        return new ObjectMapper().readValue(file.toFile(), new TypeReference<Map<String, String>>() {});
    }

    /** What a format takes, in the order of the arguments: {@code d} for {@code %,d}. */
    private static List<String> specifiers(String format) {
        List<String> found = new ArrayList<>();
        Matcher matcher = SPECIFIER.matcher(format);
        while (matcher.find()) {
            String kind = matcher.group(2);
            if (!kind.equals("%") && !kind.equals("n")) {
                int index = matcher.group(1) == null ? found.size() : Integer.parseInt(matcher.group(1)) - 1;
                while (found.size() <= index) {
                    found.add("");
                }
                found.set(index, kind);
            }
        }
        return found;
    }
}
