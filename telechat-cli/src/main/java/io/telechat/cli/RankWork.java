// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;

/** How work that is done on several ranks is fed and ended. */
enum RankWork {
    /** Reads stdin, and handles Ctrl-C itself. */
    DIALOG,
    /** Reads stdin, and may be ended at any moment. */
    INPUT,
    /** Reads nothing, and may be ended at any moment. */
    NO_INPUT,
    /** Reads nothing, and comes to a good end when it is asked to. */
    SERVICE;

    /** What is said when a service has been asked to end. */
    static final Message ENDING =
            Message.of("answers under way are finished, no new ones begun; again Ctrl-C stops at once");
}
