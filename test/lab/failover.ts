import { suite } from 'uvu';
import { playFailover } from './scene/failover.ts';

/**
 * The main job, by NAT: the master of a pair crashes, then freezes, under live traffic; the VIP leaves it
 * without anybody's help, the standby serves, and every established connection goes on.
 */
export const needs = 'kernel';
export const limitSeconds = 300;

const story = suite('failover by NAT');
playFailover(story, 'NAT');
story.run();
