// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.eval.text.PythonText;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Which letter an answer chooses. */
final class Letters {
    static final String OPTIONS = "ABCD";

    /**
     * Phrases before and behind a letter, the most certain first ({@code first_option_postprocess}); {@code @} stands for the letter.
     * The one with 故选 is joined to the next for want of a comma there, which is kept.
     */
    private static final List<Pattern> PHRASES = Stream.of(
                    "答案是?\\s*(@)",
                    "答案是?\\s*：\\s*(@)",
                    "答案是?\\s*:\\s*(@)",
                    "答案选项应?该?是\\s*(@)",
                    "答案选项应?该?为\\s*(@)",
                    "答案应该?是\\s*(@)",
                    "答案应该?选\\s*(@)",
                    "答案选项为?\\s*：\\s*(@)",
                    "答案选项为?\\s+\\(?\\*?\\*?(@)\\*?\\*?\\)?",
                    "答案选项是?\\s*:\\s*(@)",
                    "答案为\\s*(@)",
                    "答案选\\s*(@)",
                    "选择?\\s*(@)",
                    "故选?\\s*(@)只有选?项?\\s?(@)\\s?是?对",
                    "只有选?项?\\s?(@)\\s?是?错",
                    "只有选?项?\\s?(@)\\s?不?正确",
                    "只有选?项?\\s?(@)\\s?错误",
                    "说法不?对选?项?的?是\\s?(@)",
                    "说法不?正确选?项?的?是\\s?(@)",
                    "说法错误选?项?的?是\\s?(@)",
                    "(@)\\s?是正确的",
                    "(@)\\s?是正确答案",
                    "选项\\s?(@)\\s?正确",
                    "所以答\\s?(@)",
                    "所以\\s?(@[.。$]?$)",
                    "所有\\s?(@[.。$]?$)",
                    "[\\s，：:,](@)[。，,\\.]?$",
                    "[\\s，,：:][故即](@)[。\\.]?$",
                    "[\\s，,：:]因此(@)[。\\.]?$",
                    "[是为。]\\s?(@)[。\\.]?$",
                    "因此\\s?(@)[。\\.]?$",
                    "显然\\s?(@)[。\\.]?$",
                    "答案是\\s?(\\S+)(?:。|$)",
                    "答案应该是\\s?(\\S+)(?:。|$)",
                    "答案为\\s?(\\S+)(?:。|$)",
                    "(?i)ANSWER\\s*:\\s*(@)",
                    "[Tt]he answer is:?\\s+\\(?(@)\\)?",
                    "[Tt]he answer is:?\\s+\\(?\\*?\\*?(@)\\*?\\*?\\)?",
                    "[Tt]he answer is option:?\\s+\\(?(@)\\)?",
                    "[Tt]he correct answer is:?\\s+\\(?(@)\\)?",
                    "[Tt]he correct answer is option:?\\s+\\(?(@)\\)?",
                    "[Tt]he correct answer is:?.*?boxed\\{(@)}",
                    "[Tt]he correct option is:?.*?boxed\\{(@)}",
                    "[Tt]he correct answer option is:?.*?boxed\\{(@)}",
                    "[Tt]he answer to the question is:?\\s+\\(?(@)\\)?",
                    "^选项\\s?(@)",
                    "^(@)\\s?选?项",
                    "(\\s|^)@[\\s。，,：:\\.$]",
                    "1.\\s?(.*?)$",
                    "1.\\s?(@)[.。$]?$",
                    "(@):",
                    "(@)")
            .map(phrase -> PythonText.regex(phrase.replace("@", "[" + OPTIONS + "]"), Pattern.DOTALL))
            .toList();

    private Letters() {}

    /** The letter of the first phrase that is found and names one; empty if none does. */
    static String firstOption(String response) {
        String text = PythonText.strip(response);
        for (Pattern phrase : PHRASES) {
            Matcher found = phrase.matcher(text);
            if (found.find()) {
                String inner = found.group(1);
                String where = inner == null || inner.isEmpty() ? found.group() : inner;
                for (String option : OPTIONS.split("")) {
                    if (where.contains(option)) {
                        return option;
                    }
                }
            }
        }
        return "";
    }

    /** The first capital of any script; empty if there is none. */
    static String firstCapital(String response) {
        return response.codePoints()
                .filter(Character::isUpperCase)
                .mapToObj(Character::toString)
                .findFirst()
                .orElse("");
    }
}
