// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import static io.telechat.eval.data.AgievalSet.Answers.LETTER;
import static io.telechat.eval.data.AgievalSet.Answers.LETTERS;
import static io.telechat.eval.data.AgievalSet.Answers.TEXT;

import io.telechat.core.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The files of AGIEval (Zhong et al. 2023), questions of exams for people, and how they are put without examples. */
public enum AgievalSet {
    GAOKAO_CHINESE(true, LETTER),
    GAOKAO_ENGLISH(false, LETTER),
    GAOKAO_GEOGRAPHY(true, LETTER),
    GAOKAO_HISTORY(true, LETTER),
    GAOKAO_BIOLOGY(true, LETTER),
    GAOKAO_CHEMISTRY(true, LETTER),
    GAOKAO_MATHQA(true, LETTER),
    LOGIQA_ZH(true, LETTER),
    LSAT_AR(false, LETTER),
    LSAT_LR(false, LETTER),
    LSAT_RC(false, LETTER),
    LOGIQA_EN(false, LETTER),
    SAT_MATH(false, LETTER),
    SAT_EN(false, LETTER),
    SAT_EN_WITHOUT_PASSAGE(false, LETTER),
    AQUA_RAT(false, LETTER),
    GAOKAO_PHYSICS(true, LETTERS),
    JEC_QA_KD(true, LETTERS),
    JEC_QA_CA(true, LETTERS),
    GAOKAO_MATHCLOZE(true, TEXT),
    MATH(false, TEXT);

    /** What answers are. */
    public enum Answers {
        LETTER,
        /** One or more. */
        LETTERS,
        TEXT
    }

    /** All of them by the names of their files, without the extension. */
    public static final SortedMap<String, AgievalSet> BY_NAME =
            new TreeMap<>(Arrays.stream(values()).collect(Collectors.toMap(AgievalSet::fileName, set -> set)));

    private static final String OPTIONS = "ABCDEFG";

    private final boolean chinese;
    private final Answers answers;

    AgievalSet(boolean chinese, Answers answers) {
        this.chinese = chinese;
        this.answers = answers;
    }

    /** Its file's, without the extension. */
    public String fileName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Its file, below the data directory. */
    public String path() {
        return "agieval/v1/" + fileName() + ".jsonl";
    }

    /** Whether its questions are put in Chinese. */
    public boolean chinese() {
        return chinese;
    }

    public Answers answers() {
        return answers;
    }

    /**
     * A question, up to where its answer begins.
     *
     * @throws InvalidInputException if the row is none of such a file
     */
    public String question(JsonRow row) {
        String text = row.textOrEmpty("passage") + (chinese ? "问题：" : "Q: ") + row.text("question");
        if (answers == Answers.TEXT) {
            return text + (chinese ? "\n答案：" : "\nA: The answer is");
        }
        List<String> options = row.texts("options");
        if (options.size() > OPTIONS.length()) {
            throw new InvalidInputException(
                    "%s: there can be %d options, are %d", row.place(), OPTIONS.length(), options.size());
        }
        String choices = String.join(" ", options) + "\n";
        return chinese
                ? text + " 选项：" + choices + "答案：从A到" + last(options, 'D') + ", 我们应选择"
                : text + " Answer Choices: " + choices + "A: Among A through " + last(options, 'E') + ", the answer is";
    }

    /** The letter of the last one; one alone is taken to be all of them. */
    private static char last(List<String> options, char usual) {
        return options.size() == 1 ? usual : OPTIONS.charAt(options.size() - 1);
    }
}
