/* Ids have 63 bits, more than a number of JavaScript holds: where one comes as a number it becomes text. A quote inside
 * of a string is written \", so the pattern does not fit there. */
export function parse(text) {
    return JSON.parse(text.replace(/"(id|cause)":\s*(\d{15,})(?=[,}\s])/g, '"$1":"$2"'));
}
