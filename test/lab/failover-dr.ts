import { suite } from 'uvu';
import { playFailover } from './scene/failover.ts';

/**
 * The main job, by direct routing: the master of a pair crashes, then freezes, under live traffic; the VIP
 * leaves it without anybody's help, the standby serves, and every established connection goes on.
 */
export const needs = 'kernel';
export const limitSeconds = 300;

const story = suite('failover by direct routing');
playFailover(story, 'DR');
story.run();
