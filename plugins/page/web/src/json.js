/* Ids have 63 bits, more than a number of JavaScript holds: they are text here and numbers there. A quote inside of a
 * string is written \", so none of these patterns fits there. */
export function parse(text) {
    return JSON.parse(text.replace(/"(id|cause)":\s*(\d{15,})(?=[,}\s])/g, '"$1":"$2"'));
}

export function write(body) {
    return JSON.stringify(body).replace(/"(id|cause)":"(\d{1,19})"/g, '"$1":$2');
}
