// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.chat.SystemMessages;
import picocli.CommandLine.Option;

/** What becomes of system messages where a model's chat format has no place for them. */
final class SystemMessageOptions {
    @Option(
            names = "--system-messages",
            paramLabel = "POLICY",
            description =
                    "where the chat format has no place for a system message: fold it into the question that follows"
                            + " (default), ignore or reject it")
    private SystemMessages policy = SystemMessages.FOLD;

    SystemMessages policy() {
        return policy;
    }
}
