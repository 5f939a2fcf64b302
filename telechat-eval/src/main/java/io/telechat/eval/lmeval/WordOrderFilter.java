// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Finds the words of a list, in the order in which they come up for the last time. */
record WordOrderFilter(Pattern words) implements UnaryOperator<String> {
    private static final String LIST = "List:";

    /** @param input the question, in which the words stand behind {@code List:} */
    static WordOrderFilter of(String input) {
        String[] parts = input.split(LIST, -1);
        List<String> words = parts.length < 2 ? List.of() : PythonText.split(parts[1]);
        return new WordOrderFilter(PythonText.regex(
                words.stream().map(word -> "\\b" + quoted(word) + "\\b").collect(Collectors.joining("|"))));
    }

    /** Letters keep their meaning, all else is escaped. */
    private static String quoted(String word) {
        return word.replaceAll("[^\\p{L}\\p{N}\\p{M}_]", "\\\\$0");
    }

    @Override
    public String apply(String response) {
        SequencedSet<String> inOrder = new LinkedHashSet<>();
        for (List<String> word : PythonText.findAll(words, response)) {
            inOrder.remove(word.getFirst());
            inOrder.add(word.getFirst());
        }
        return String.join(" ", inOrder);
    }
}
