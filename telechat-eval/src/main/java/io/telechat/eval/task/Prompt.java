// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.ArrayList;
import java.util.List;

/** What is put to a model: a text to be continued, or turns of a conversation. */
public sealed interface Prompt {
    /** Who speaks. */
    enum Speaker {
        SYSTEM,
        HUMAN,
        BOT
    }

    /** A turn of a conversation. */
    record Turn(Speaker speaker, String text) {}

    /** A solved example. */
    record Shot(String question, String answer) {}

    /**
     * A question behind solved examples.
     *
     * @param description before all of them, with the line breaks behind it; may be empty
     * @param delimiter between a question and its answer
     */
    record FewShot(String description, List<Shot> shots, String question, String delimiter) implements Prompt {
        private static final String BETWEEN = "\n\n";

        public FewShot {
            shots = List.copyOf(shots);
        }

        /** As one text. */
        public String text() {
            return description + examples() + question;
        }

        private String examples() {
            StringBuilder text = new StringBuilder();
            shots.forEach(shot -> text.append(shot.question)
                    .append(delimiter)
                    .append(shot.answer)
                    .append(BETWEEN));
            return text.toString();
        }

        /**
         * As a conversation, whose description is the system message.
         *
         * @param multiturn whether each example is a turn of each side; otherwise all of it is one question
         */
        public Dialog dialog(boolean multiturn) {
            List<Turn> turns = new ArrayList<>();
            if (!description.isEmpty()) {
                turns.add(new Turn(Speaker.SYSTEM, description));
            }
            if (!multiturn) {
                turns.add(new Turn(Speaker.HUMAN, examples() + question));
                return new Dialog(turns);
            }
            for (Shot shot : shots) {
                turns.add(new Turn(Speaker.HUMAN, shot.question));
                turns.add(new Turn(Speaker.BOT, shot.answer));
            }
            turns.add(new Turn(Speaker.HUMAN, question));
            return new Dialog(turns);
        }
    }

    /** Turns; a last one of the bot marks where its answer begins, and is not shown to it. */
    record Dialog(List<Turn> turns) implements Prompt {
        public Dialog {
            turns = List.copyOf(turns);
        }

        /** Up to the last turn of the human. */
        public List<Turn> asked() {
            boolean begun = turns.getLast().speaker == Speaker.BOT;
            return begun ? turns.subList(0, turns.size() - 1) : turns;
        }
    }
}
