// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.Role;
import io.telechat.core.checkpoint.Sha256;
import io.telechat.core.html.Page;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/**
 * What a judge is asked, in the language of the dialog. All that was not written for the judge stands between marks with a digest of
 * it, so that no answer can hold the mark that ends it.
 */
final class JudgePrompt {
    private static final int DIGITS = 8;

    private final Dialog dialog;
    private final Words words;
    private final String mark;
    private final StringBuilder text = new StringBuilder();

    /** How the parts of a question are called. */
    private record Words(
            String criteria,
            String conversation,
            String system,
            String user,
            String assistant,
            String open,
            String reference,
            String answer) {
        static Words of(Language language) {
            return switch (language) {
                case EN ->
                    new Words(
                            "Criteria",
                            "Conversation",
                            "System",
                            "User",
                            "Assistant, given",
                            "Assistant, to be graded: answer",
                            "An ideal answer",
                            "Answer");
                case ZH -> new Words("评分标准", "对话", "系统", "用户", "助手（已给定）", "助手（待评）：回答", "参考答案", "回答");
            };
        }
    }

    private JudgePrompt(Dialog dialog, String criteria, List<List<String>> answers) {
        this.dialog = dialog;
        this.words = Words.of(Language.of(dialog.language()));
        this.mark = digest(dialog.json() + criteria + answers);
    }

    /** How good are these answers? */
    static List<ChatMessage> single(Dialog dialog, String criteria, List<String> answers) {
        JudgePrompt prompt = new JudgePrompt(dialog, criteria, List.of(answers));
        prompt.begin(criteria);
        prompt.answers("", answers);
        return prompt.messages("single");
    }

    /** Which of these are better? */
    static List<ChatMessage> pair(Dialog dialog, String criteria, List<String> a, List<String> b) {
        JudgePrompt prompt = new JudgePrompt(dialog, criteria, List.of(a, b));
        prompt.begin(criteria);
        prompt.answers("A", a);
        prompt.answers("B", b);
        return prompt.messages("pair");
    }

    private List<ChatMessage> messages(String kind) {
        String rules = Page.resource(
                JudgePrompt.class,
                "%s_%s.txt".formatted(kind, Language.of(dialog.language()).code()));
        return List.of(
                ChatMessage.system(rules.strip()),
                ChatMessage.user(text.toString().strip()));
    }

    private void begin(String criteria) {
        text.append("# ")
                .append(words.criteria)
                .append('\n')
                .append(criteria.strip())
                .append("\n\n");
        text.append("# ").append(words.conversation).append('\n');
        int open = 0;
        for (int i = 0; i < dialog.messages().size(); i++) {
            ChatMessage message = dialog.messages().get(i);
            quote(name(message.role()), message.content());
            if (dialog.isOpen(i) && dialog.answers() > 1) {
                text.append(words.open).append(' ').append(++open).append("\n\n");
            }
        }
        dialog.reference().ifPresent(ideal -> quote("# " + words.reference, ideal));
    }

    private String name(Role role) {
        return switch (role) {
            case SYSTEM -> words.system;
            case ASSISTANT -> words.assistant;
            default -> words.user;
        };
    }

    /** @param whose A or B, or empty */
    private void answers(String whose, List<String> answers) {
        for (int i = 0; i < answers.size(); i++) {
            String number = answers.size() > 1 ? " " + (i + 1) : "";
            quote("# " + words.answer + (whose.isEmpty() ? "" : " " + whose) + number, answers.get(i));
        }
    }

    private void quote(String title, String quoted) {
        text.append(title).append('\n');
        text.append("<<<").append(mark).append('\n').append(quoted.strip()).append('\n');
        text.append(mark).append(">>>\n\n");
    }

    private static String digest(String of) {
        byte[] digest = Sha256.digest().digest(of.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest).substring(0, DIGITS);
    }
}
