// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * A text for people: an English format and what goes into it. The format is at once the key of its translations, so that code
 * reads as what it says; {@link Translations} has them.
 */
public final class Message {
    private final String format;
    private final Object[] arguments;

    private Message(String format, Object[] arguments) {
        this.format = format;
        this.arguments = arguments;
    }

    /**
     * @param format of {@link java.util.Formatter}, in English; a constant, because translations are found by it
     * @param arguments what goes into it; those that are messages are translated, too
     */
    public static Message of(String format, Object... arguments) {
        return new Message(format, arguments.clone());
    }

    /** The same as {@code Message.of(format, arguments)} in the language of the default locale. */
    public static String localized(String format, Object... arguments) {
        return of(format, arguments).localized();
    }

    /** In the language of the default locale. */
    public String localized() {
        return in(Locale.getDefault(Locale.Category.DISPLAY));
    }

    /** These, one behind the other; messages among them are translated, too. */
    public static Message joined(String separator, List<?> parts) {
        String format = String.join(separator.replace("%", "%%"), Collections.nCopies(parts.size(), "%s"));
        return new Message(format, parts.toArray());
    }

    /** In the language of a locale, or in English where it has no translation. */
    public String in(Locale locale) {
        Object[] translated = new Object[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            translated[i] = arguments[i] instanceof Message message ? message.in(locale) : arguments[i];
        }
        return Translations.of(locale).get(format).formatted(translated);
    }

    /** In English. */
    @Override
    public String toString() {
        return format.formatted(arguments);
    }
}
