// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import io.telechat.core.chat.ChatMessage;
import java.util.List;

/** Languages that the judge is spoken to in. */
enum Language {
    EN,
    ZH;

    /** That of a dialog: Chinese, or else English. */
    static Language of(String code) {
        return code.startsWith("zh") ? ZH : EN;
    }

    /** What the last message is written in, where nothing says so: one Chinese character makes it Chinese. */
    static String codeOf(List<ChatMessage> messages) {
        boolean chinese = messages.getLast().content().codePoints().anyMatch(Character::isIdeographic);
        return chinese ? "zh" : "en";
    }

    /** As in names of resources. */
    String code() {
        return this == ZH ? "zh" : "en";
    }
}
