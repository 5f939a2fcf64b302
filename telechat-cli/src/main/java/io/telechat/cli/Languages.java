// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The language that texts for people are in: that of POSIX's variables, whether or not the machine has such a locale installed.
 * The launcher passes on what they were before it set another locale for the encoding.
 */
final class Languages {
    private Languages() {}

    /** Without such a variable, Java's own choice stays. */
    static void install(Map<String, String> environment) {
        Stream.concat(
                        Stream.ofNullable(System.getProperty("telechat.language")),
                        Stream.of("LC_ALL", "LC_MESSAGES", "LANG").map(environment::get))
                .filter(value -> value != null && !value.isEmpty())
                .findFirst()
                .ifPresent(value -> Locale.setDefault(Locale.Category.DISPLAY, locale(value)));
    }

    /** {@code zh_CN.UTF-8} is {@code zh-CN}; {@code C} is English. */
    private static Locale locale(String value) {
        String name = value.replaceFirst("[.@].*", "");
        return name.equals("C") || name.equals("POSIX")
                ? Locale.ENGLISH
                : Locale.forLanguageTag(name.replace('_', '-'));
    }
}
