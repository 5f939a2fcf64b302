// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import io.telechat.core.chat.ChatMessage;
import io.telechat.eval.task.Prompt;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How prompts are put to a model.
 *
 * @param maxLength tokens of prompt and answer at most; empty for what the model was made for
 * @param maxNewTokens cap on the length of answers; empty for the tasks' own
 * @param chat whether plain prompts become conversations by the model's chat format
 * @param multiturn whether their examples become turns of their own
 * @param decodeWithPrompt whether answers keep the blanks they begin with, which lm-evaluation-harness loses
 */
public record PromptForm(
        OptionalInt maxLength, OptionalInt maxNewTokens, boolean chat, boolean multiturn, boolean decodeWithPrompt) {
    /** The usual length of answers, where a task asks for none. */
    private static final int USUAL = 256;

    /** As lm-evaluation-harness puts them. */
    public static final PromptForm PLAIN =
            new PromptForm(OptionalInt.empty(), OptionalInt.empty(), false, false, false);

    /** A prompt as a text to be continued; empty if it is to be put as a conversation. */
    Optional<String> text(Prompt prompt) {
        return prompt instanceof Prompt.FewShot shots && !chat ? Optional.of(shots.text()) : Optional.empty();
    }

    /** A prompt as a conversation, up to the last turn of the human. */
    List<ChatMessage> conversation(Prompt prompt) {
        Prompt.Dialog dialog = switch (prompt) {
            case Prompt.FewShot shots -> shots.dialog(multiturn);
            case Prompt.Dialog turns -> turns;
        };
        return dialog.asked().stream()
                .map(turn -> switch (turn.speaker()) {
                    case SYSTEM -> ChatMessage.system(turn.text());
                    case HUMAN -> ChatMessage.user(turn.text());
                    case BOT -> ChatMessage.assistant(turn.text());
                })
                .toList();
    }

    /** Length of an answer at most. */
    int newTokens(OptionalInt asked) {
        return Math.min(asked.orElse(USUAL), maxNewTokens.orElse(Integer.MAX_VALUE));
    }
}
