// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * English texts in another language: of every module the file {@code META-INF/telechat/messages_LANGUAGE.json}, an object from the
 * English text, or format, to its translation.
 */
public final class Translations {
    private static final String FILE = "META-INF/telechat/messages_%s.json";
    /** What the texts are in: to look for a file would open every jar at every start. */
    private static final String ORIGINAL = Locale.ENGLISH.getLanguage();

    private static final Map<String, Translations> LANGUAGES = new ConcurrentHashMap<>();

    private final Map<String, String> texts;

    private Translations(Map<String, String> texts) {
        this.texts = texts;
    }

    /** Those into the language of a locale; without any, every text stays English. */
    public static Translations of(Locale locale) {
        return LANGUAGES.computeIfAbsent(
                locale.getLanguage(),
                language -> new Translations(language.equals(ORIGINAL) ? Map.of() : read(language)));
    }

    /** This text in the language, or the text itself where it has no translation. */
    public String get(String english) {
        return texts.getOrDefault(english, english);
    }

    public boolean isEmpty() {
        return texts.isEmpty();
    }

    private static Map<String, String> read(String language) {
        Map<String, String> all = new HashMap<>();
        ObjectMapper mapper = new ObjectMapper();
        try {
            List<URL> files =
                    Collections.list(Translations.class.getClassLoader().getResources(FILE.formatted(language)));
            for (URL file : files) {
                try (InputStream in = file.openStream()) {
                    all.putAll(mapper.readValue(in, new TypeReference<Map<String, String>>() {}));
                }
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
