// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIf;

/** Skipped where there was no C++ compiler to build the emulation and the stand-ins with. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@EnabledIf(
        value = "io.telechat.core.testing.EmulatedGpu#isBuilt",
        disabledReason = "there is no g++ to build the emulation of a GPU with")
@interface NeedsEmulation {}
