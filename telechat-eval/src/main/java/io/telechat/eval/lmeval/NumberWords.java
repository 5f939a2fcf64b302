// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Numbers in English words, as far as lm-eval and the library word2number read them. That is not far: six, seven and nine are
 * no numbers of their own, and a phrase that ends with fourteen ends with its four.
 */
final class NumberWords {
    private static final String UNITS = "zero|one|two|three|four|five";
    private static final String STEMS = "(?:twen|thir|for|fif|six|seven|nine)";
    private static final String OTHERS = "ten|eleven|twelve|fourteen|hundred|thousand|(?:m|b|tr)illion";

    /** What a phrase can begin with, hold, and end with. */
    private static final Pattern BEGINNING =
            Pattern.compile("fourteen|" + UNITS + "|" + STEMS + "(?:teen|ty)|eight(?:een|y)?|" + OTHERS);

    private static final Pattern MIDDLE = Pattern.compile(
            "fourteen|" + UNITS + "|" + STEMS + "(?:teen|ty)?|eight(?:een|y)|" + OTHERS + "|[\\s&&[^\\r\\n]]|,|and|&",
            Pattern.UNICODE_CHARACTER_CLASS);

    private static final Pattern END = Pattern.compile(UNITS + "|" + STEMS + "(?:teen|ty)|eight(?:een|y)|" + OTHERS);

    private static final Map<String, Long> VALUES = values();

    private NumberWords() {}

    private static Map<String, Long> values() {
        List<String> small = List.of(
                ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
                                + " seventeen eighteen nineteen")
                        .split(" "));
        List<String> tens = List.of("twenty thirty forty fifty sixty seventy eighty ninety".split(" "));
        Map<String, Long> values =
                IntStream.range(0, small.size()).boxed().collect(Collectors.toMap(small::get, Integer::longValue));
        IntStream.range(0, tens.size()).forEach(i -> values.put(tens.get(i), 10L * (i + 2)));
        values.putAll(Map.of("hundred", 100L, "thousand", 1_000L, "million", 1_000_000L, "billion", 1_000_000_000L));
        return values;
    }

    /** All phrases of a text in lower case, each as long as can be. Takes time linear in the text, whatever it is. */
    static List<String> phrases(String text) {
        List<String> phrases = new ArrayList<>();
        Matcher beginning = BEGINNING.matcher(text);
        for (int from = 0; from < text.length() && beginning.find(from); ) {
            int end = end(text, beginning.start(), beginning.end());
            if (end > 0) {
                phrases.add(text.substring(beginning.start(), end));
            }
            from = end > 0 ? end : beginning.start() + 1;
        }
        return phrases;
    }

    /** Where a phrase ends; 0 if it does not. */
    private static int end(String text, int start, int firstEnd) {
        Matcher last = END.matcher(text);
        Matcher middle = MIDDLE.matcher(text);
        int end = last.region(start, text.length()).lookingAt() ? last.end() : 0;
        int at = firstEnd;
        while (middle.region(at, text.length()).lookingAt()) {
            at = middle.end();
            if (last.region(at, text.length()).lookingAt()) {
                end = last.end();
            }
        }
        return end;
    }

    /**
     * The number that a phrase means.
     *
     * @return empty if it means none
     */
    static Optional<String> value(String phrase) {
        List<Long> numbers = PythonText.split(phrase).stream()
                .filter(VALUES::containsKey)
                .map(VALUES::get)
                .toList();
        OptionalLong sum = numbers.size() == 1 ? OptionalLong.of(numbers.getFirst()) : sum(numbers);
        return sum.isPresent() ? Optional.of(Long.toString(sum.getAsLong())) : Optional.empty();
    }

    /** Of parts that are counted in billions, millions, thousands, and ones. */
    private static OptionalLong sum(List<Long> numbers) {
        if (numbers.isEmpty()) {
            return OptionalLong.empty();
        }
        long total = 0;
        int from = 0;
        for (long scale : new long[] {1_000_000_000, 1_000_000, 1_000}) {
            int at = numbers.indexOf(scale);
            if (at >= 0) {
                if (at <= from || at != numbers.lastIndexOf(scale)) {
                    return OptionalLong.empty();
                }
                total += scale * part(numbers.subList(from, at));
                from = at + 1;
            }
        }
        if (from < numbers.size()) {
            return OptionalLong.of(total + part(numbers.subList(from, numbers.size())));
        }
        // As word2number 1.1 has it: what stands behind a scale before the last one counts once more where nothing
        // stands at the end.
        for (long scale : new long[] {1_000_000, 1_000_000_000}) {
            int at = numbers.indexOf(scale);
            if (at >= 0 && at < numbers.size() - 1) {
                return OptionalLong.of(total + part(numbers.subList(at + 1, numbers.size())));
            }
        }
        return OptionalLong.of(total);
    }

    /** Such as two hundred and twenty three; what is longer than that is not read to its end. */
    private static long part(List<Long> numbers) {
        return switch (numbers.size()) {
            case 2 -> numbers.contains(100L) ? numbers.get(0) * numbers.get(1) : numbers.get(0) + numbers.get(1);
            case 3 -> numbers.get(0) * numbers.get(1) + numbers.get(2);
            case 4 -> numbers.get(0) * numbers.get(1) + numbers.get(2) + numbers.get(3);
            default -> numbers.getFirst();
        };
    }
}
