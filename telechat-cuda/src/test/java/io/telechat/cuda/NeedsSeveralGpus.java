// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIf;

/** Skipped where there are no emulated GPUs, of which there are several. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@EnabledIf(
        value = "io.telechat.core.testing.EmulatedGpu#areSeveral",
        disabledReason = "there is no g++ to build the emulation of GPUs with, or a real one is tested")
@interface NeedsSeveralGpus {}
