// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Finds an option such as {@code (B)}. If there is none, what an option says is looked for, whatever its case and punctuation; at
 * last, an option's letter behind a colon.
 *
 * @param texts an expression of what the options say
 * @param marks of the options, by what they say
 * @param letters an expression of a letter behind a colon
 */
record OptionFilter(RegexFilter texts, Map<String, String> marks, RegexFilter letters, boolean last)
        implements UnaryOperator<String> {
    private static final Pattern MARK = PythonText.regex("(\\([A-Z]\\))");
    private static final Pattern OPTION = PythonText.regex("\\([A-Z]\\)([^\\n^(]*)");
    private static final Pattern PUNCTUATION = PythonText.regex("\\p{P}");

    /**
     * @param input a question with options, each behind its letter in parentheses
     * @param last whether the last of several finds counts; otherwise the first
     */
    static OptionFilter of(String input, boolean last) {
        List<String> options = PythonText.findAll(OPTION, input).stream()
                .map(groups -> plain(PythonText.strip(groups.getFirst())))
                .toList();
        Map<String, String> marks = new HashMap<>();
        for (int i = 0; i < options.size(); i++) {
            marks.put(options.get(i), "(" + letter(i) + ")");
        }
        // The longest first, lest one hide others that begin with it.
        String texts = options.stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|"));
        String letters = IntStream.range(0, options.size())
                .mapToObj(i -> Pattern.quote(letter(i)))
                .collect(Collectors.joining("|"));
        return new OptionFilter(
                new RegexFilter(Pattern.compile(texts), last),
                marks,
                new RegexFilter(PythonText.regex(":[\\s]*(" + letters + ")"), last),
                last);
    }

    private static String letter(int option) {
        return Character.toString('A' + option);
    }

    private static String plain(String text) {
        return PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
    }

    @Override
    public String apply(String response) {
        return found(new RegexFilter(MARK, last).find(response))
                .or(() -> found(texts.find(plain(response))).map(text -> marks.getOrDefault(text, text)))
                .or(() -> found(letters.find(response)).map(letter -> "(" + letter + ")"))
                .orElse(RegexFilter.INVALID);
    }

    private static Optional<String> found(Optional<String> text) {
        return text.filter(t -> !t.isEmpty());
    }
}
