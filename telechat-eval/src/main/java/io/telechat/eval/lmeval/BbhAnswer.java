// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** What the answers to a task of BBH are; says how they are found in a text without a set form. */
enum BbhAnswer {
    TRUTH,
    YES_OR_NO,
    VALIDITY,
    PLAUSIBILITY,
    HONESTY,
    NUMBER,
    BRACKETS,
    OPTION,
    WORDS;

    /** The 27 tasks. */
    static final SortedMap<String, BbhAnswer> TASKS = tasks();

    private static SortedMap<String, BbhAnswer> tasks() {
        SortedMap<String, BbhAnswer> tasks = new TreeMap<>(Map.of(
                "boolean_expressions", TRUTH,
                "causal_judgement", YES_OR_NO,
                "dyck_languages", BRACKETS,
                "formal_fallacies", VALIDITY,
                "multistep_arithmetic_two", NUMBER,
                "navigate", YES_OR_NO,
                "object_counting", NUMBER,
                "sports_understanding", PLAUSIBILITY,
                "web_of_lies", HONESTY,
                "word_sorting", WORDS));
        List.of(
                        "date_understanding",
                        "disambiguation_qa",
                        "geometric_shapes",
                        "hyperbaton",
                        "logical_deduction_five_objects",
                        "logical_deduction_seven_objects",
                        "logical_deduction_three_objects",
                        "movie_recommendation",
                        "penguins_in_a_table",
                        "reasoning_about_colored_objects",
                        "ruin_names",
                        "salient_translation_error_detection",
                        "snarks",
                        "temporal_sequences",
                        "tracking_shuffled_objects_five_objects",
                        "tracking_shuffled_objects_seven_objects",
                        "tracking_shuffled_objects_three_objects")
                .forEach(task -> tasks.put(task, OPTION));
        return tasks;
    }

    /**
     * What finds an answer.
     *
     * @param input the question
     * @param last whether the last of several answers counts; otherwise the first
     */
    UnaryOperator<String> filter(String input, boolean last) {
        return switch (this) {
            case TRUTH -> regex("\\b(True|False)\\b", last);
            case YES_OR_NO -> regex("\\b(Yes|No|yes|no)\\b", last);
            case VALIDITY -> regex("\\b(valid|invalid)\\b", last);
            case BRACKETS -> regex("(?<= )([\" \\[\\(<{}>\\)\\]]+)|([\" \\[\\(<{}>\\)\\]]+)", last);
            case PLAUSIBILITY -> new YesNoFilter("no|not plausible", "yes|plausible", last);
            case HONESTY ->
                new YesNoFilter(
                        "no|does not tell the truth|is not telling the truth",
                        "yes|tells the truth|is telling the truth",
                        last);
            case NUMBER -> new NumberFilter(last);
            case OPTION -> OptionFilter.of(input, last);
            case WORDS -> WordOrderFilter.of(input);
        };
    }

    private static UnaryOperator<String> regex(String expression, boolean last) {
        return new RegexFilter(PythonText.regex(expression), last);
    }
}
