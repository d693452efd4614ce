import { Writer } from '../bytes.ts';
import { Attributes, BodyWriter, type Message, type Request } from './message.ts';

/** Generic netlink: families with names and dynamic numbers (include/uapi/linux/genetlink.h). */

/** The number of the controller, the only family whose number is fixed. */
export const CONTROLLER = 0x10;
/** Bytes before the attributes: command, version, two reserved. */
export const GENL_HEADER_BYTES = 4;

const GET_FAMILY = 3;
const NEW_FAMILY = 1;
const CONTROLLER_VERSION = 1;
const FAMILY_ID = 1;
const FAMILY_NAME = 2;

/** A body that begins with the generic header; attributes are appended to it. */
export function genlBody(command: number, version: number): BodyWriter {
  const body = new BodyWriter();
  body.fixed.u8(command).u8(version).u16host(0);
  return body;
}

/** The command and the attributes of a generic message; `undefined` when it is too short to have them. */
export function openGenl(message: Message): { command: number; attributes: Attributes } | undefined {
  const command = message.body[0];
  if (command === undefined || message.body.length < GENL_HEADER_BYTES) return undefined;
  return { command, attributes: Attributes.of(message.body, GENL_HEADER_BYTES) };
}

/** Asks for the number of the family `name`; errno 2 (ENOENT) when no module provides it. */
export function getFamily(name: string): Request {
  const body = genlBody(GET_FAMILY, CONTROLLER_VERSION).text(FAMILY_NAME, name).finish();
  return { type: CONTROLLER, flags: 0, body, asked: `find the netlink family ${name}` };
}

export interface GenlFamily {
  readonly id: number;
  readonly name: string;
}

/** The family in the controller's answer; `undefined` when the message is something else. */
export function decodeFamily(message: Message): GenlFamily | undefined {
  const opened = openGenl(message);
  if (message.type !== CONTROLLER || opened?.command !== NEW_FAMILY) return undefined;
  const id = opened.attributes.u16(FAMILY_ID);
  const name = opened.attributes.text(FAMILY_NAME);
  return id === undefined || name === undefined ? undefined : { id, name };
}

/** A generic request without attributes. */
export function bareRequest(family: number, command: number, version: number, asked: string): Request {
  return {
    type: family,
    flags: 0,
    body: new Writer(GENL_HEADER_BYTES).u8(command).u8(version).u16host(0).finish(),
    asked,
  };
}
