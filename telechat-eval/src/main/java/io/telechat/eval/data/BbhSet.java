// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import static io.telechat.eval.data.BbhSet.Answers.BRACKETS;
import static io.telechat.eval.data.BbhSet.Answers.HONESTY;
import static io.telechat.eval.data.BbhSet.Answers.NUMBER;
import static io.telechat.eval.data.BbhSet.Answers.OPTION;
import static io.telechat.eval.data.BbhSet.Answers.PLAUSIBILITY;
import static io.telechat.eval.data.BbhSet.Answers.TRUTH;
import static io.telechat.eval.data.BbhSet.Answers.VALIDITY;
import static io.telechat.eval.data.BbhSet.Answers.WORDS;
import static io.telechat.eval.data.BbhSet.Answers.YES_OR_NO;

import io.telechat.core.InvalidInputException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The 27 tasks of BIG-Bench Hard (Suzgun et al. 2022), in the order of their names. Each has questions in one file; a description and
 * examples that are solved step by step in another.
 */
public enum BbhSet {
    BOOLEAN_EXPRESSIONS(TRUTH),
    CAUSAL_JUDGEMENT(YES_OR_NO),
    DATE_UNDERSTANDING(OPTION),
    DISAMBIGUATION_QA(OPTION),
    DYCK_LANGUAGES(BRACKETS),
    FORMAL_FALLACIES(VALIDITY),
    GEOMETRIC_SHAPES(OPTION),
    HYPERBATON(OPTION),
    LOGICAL_DEDUCTION_FIVE_OBJECTS(OPTION),
    LOGICAL_DEDUCTION_SEVEN_OBJECTS(OPTION),
    LOGICAL_DEDUCTION_THREE_OBJECTS(OPTION),
    MOVIE_RECOMMENDATION(OPTION),
    MULTISTEP_ARITHMETIC_TWO(NUMBER),
    NAVIGATE(YES_OR_NO),
    OBJECT_COUNTING(NUMBER),
    PENGUINS_IN_A_TABLE(OPTION),
    REASONING_ABOUT_COLORED_OBJECTS(OPTION),
    RUIN_NAMES(OPTION),
    SALIENT_TRANSLATION_ERROR_DETECTION(OPTION),
    SNARKS(OPTION),
    SPORTS_UNDERSTANDING(PLAUSIBILITY),
    TEMPORAL_SEQUENCES(OPTION),
    TRACKING_SHUFFLED_OBJECTS_FIVE_OBJECTS(OPTION),
    TRACKING_SHUFFLED_OBJECTS_SEVEN_OBJECTS(OPTION),
    TRACKING_SHUFFLED_OBJECTS_THREE_OBJECTS(OPTION),
    WEB_OF_LIES(HONESTY),
    WORD_SORTING(WORDS);

    /** What answers are. */
    public enum Answers {
        TRUTH,
        YES_OR_NO,
        VALIDITY,
        PLAUSIBILITY,
        HONESTY,
        NUMBER,
        BRACKETS,
        /** A letter in parentheses. */
        OPTION,
        WORDS
    }

    /** All of them by the names of their files, without the extension. */
    public static final SortedMap<String, BbhSet> BY_NAME =
            new TreeMap<>(Arrays.stream(values()).collect(Collectors.toMap(BbhSet::fileName, set -> set)));

    /** Ends the lines that ask to keep the examples out of training. */
    private static final String CANARY_END = "-----\n";

    private final Answers answers;

    BbhSet(Answers answers) {
        this.answers = answers;
    }

    /** Its files', without the extension. */
    public String fileName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The file of its questions, below the data directory: a JSON object whose list {@code examples} has input and target of each. */
    public String questions() {
        return "bbh/bbh/" + fileName() + ".json";
    }

    /** The file of its description and solved examples, below the data directory. */
    public String examples() {
        return "bbh/cot-prompts/" + fileName() + ".txt";
    }

    public Answers answers() {
        return answers;
    }

    /**
     * Description and examples.
     *
     * @param file that {@code text} is of
     * @throws InvalidInputException if the text does not say where they begin
     */
    public static String withoutCanary(Path file, String text) {
        int end = text.indexOf(CANARY_END);
        if (end < 0) {
            throw new InvalidInputException("%s: must have a line \"-----\" before the examples", file);
        }
        return text.substring(end + CANARY_END.length());
    }
}
